"""The load test: `make load`. One replica under the pod's limits, people who click, and figures at the end."""
