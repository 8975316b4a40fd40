"""What does a run's model say of new data? Read as a stream, predicted in batches."""
