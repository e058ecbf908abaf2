package main

func main() { neither does this
