"""How like the real rows synthetic ones are."""
