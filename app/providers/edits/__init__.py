"""The ways in which servers take pictures to start from, and the order in which they are tried."""
