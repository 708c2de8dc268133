# What the head of a fleet is given to do: every published row, on every kind of node.
cnnbench run published --executor ray --store "$CNNBENCH_STORE"
