package main

func answer() int { return int(sysoAnswer()) }

// sysoAnswer reads the object's constant and calls its function.
func sysoAnswer() int32
