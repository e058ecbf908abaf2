// Command crypto hashes, seals and signs.
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha3"
	"encoding/hex"

	"example.com/bench-several/shared"
)

func main() {
	message := []byte("message")
	key := sha256.Sum256([]byte("key"))
	block, err := aes.NewCipher(key[:])
	shared.Check(err)
	aead, err := cipher.NewGCM(block)
	shared.Check(err)
	sealed := aead.Seal(nil, make([]byte, aead.NonceSize()), message, nil)
	mac := hmac.New(sha256.New, key[:])
	mac.Write(message)
	digest := sha3.Sum256(message)

	public, private, err := ed25519.GenerateKey(rand.Reader)
	shared.Check(err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	shared.Check(err)
	signature, err := ecdsa.SignASN1(rand.Reader, curve, digest[:])
	shared.Check(err)
	shared.Say("crypto", hex.EncodeToString(sealed), hex.EncodeToString(mac.Sum(nil)[:4]),
		ed25519.Verify(public, message, ed25519.Sign(private, message)), ecdsa.VerifyASN1(&curve.PublicKey, digest[:], signature))
}
