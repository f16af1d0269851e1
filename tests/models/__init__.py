"""The reference models against independent implementations."""
