"""From a config with `sweep:` to trials, each a run, and the best of them."""
