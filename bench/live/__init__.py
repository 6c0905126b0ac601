"""What the measurement of the live feed consists of: cheap clients, a bare daphne to compare with, and a writer."""
