package dotted

func Name() string { return name + café }
