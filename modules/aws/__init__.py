"""Constructs for AWS: network, nodes, load balancers, names, keys, rights and storage of one environment."""
