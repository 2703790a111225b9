"""Policy of container networks: bridges, addresses, published ports. Kernel calls are in linux."""
