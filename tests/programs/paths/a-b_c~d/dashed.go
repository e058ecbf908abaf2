package dashed

func Name() string { return "a-b_c~d" }
