"""What a person looks at: pages and pictures, made of the run's files alone."""
