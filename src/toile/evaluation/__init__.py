"""How good a restored garment is: metrics, intervals, baselines and the benchmark's table."""
