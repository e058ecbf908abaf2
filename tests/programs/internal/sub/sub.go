package sub

import (
	"example.com/internal/internal/secret"
	"example.com/internal/sub/internal/deep"
)

func Word() string { return deep.Word() + secret.Word() }
