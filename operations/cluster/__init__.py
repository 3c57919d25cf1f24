"""Change the machines of a cluster: snapshots, restore, rolls, and the locks and records that they keep."""
