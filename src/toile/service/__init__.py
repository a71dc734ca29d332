"""The HTTP service: every task, at once or as a job, in batches, within limits; by the extra `serve`."""
