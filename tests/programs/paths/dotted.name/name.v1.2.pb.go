package dotted

const name = "dotted.name "

const café = "café"
