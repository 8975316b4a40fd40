"""Why does a model say what it says? One file a method; `explain.py` reads from top to bottom."""
