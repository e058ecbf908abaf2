package lib

const system = " on windows"
