"""The veterinary application on the cluster, one concept a module; ``application`` puts them together."""
