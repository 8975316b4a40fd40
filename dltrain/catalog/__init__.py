"""Everything that YAML can name, as data: Keras's components and the datasets."""
