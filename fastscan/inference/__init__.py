"""What is asked of a likelihood beside its limits: each question is a module of its own."""
