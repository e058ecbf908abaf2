package main

func text() string { return "original" }
