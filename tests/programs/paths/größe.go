package main

func unicodeFile() string { return "größe" }
