"""What AWS lets whom do: the evaluation of policies, by which the matrix of rights is computed too, and the emulator's use of it."""
