package lib

func plan9Only() { undefinedEverywhere() }
