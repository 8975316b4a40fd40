"""From predictions to numbers."""
