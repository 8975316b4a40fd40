"""How does a run's model become a file that others run? Each export is run and compared."""
