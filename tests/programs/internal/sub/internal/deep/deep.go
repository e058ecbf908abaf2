package deep

func Word() string { return "deep " }
