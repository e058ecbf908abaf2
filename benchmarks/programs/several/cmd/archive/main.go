// Command archive packs the same bytes as tar.gz, zip, zlib and lzw.
package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/lzw"
	"compress/zlib"
	"hash/crc32"
	"io"

	"example.com/bench-several/shared"
)

var content = bytes.Repeat([]byte("content "), 100)

func main() {
	var tarred, zipped, deflated, lzwed bytes.Buffer
	compressor := gzip.NewWriter(&tarred)
	archive := tar.NewWriter(compressor)
	shared.Check(archive.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: int64(len(content))}))
	_, err := archive.Write(content)
	shared.Check(err)
	shared.Check(archive.Close())
	shared.Check(compressor.Close())

	other := zip.NewWriter(&zipped)
	file, err := other.Create("file")
	shared.Check(err)
	_, err = file.Write(content)
	shared.Check(err)
	shared.Check(other.Close())

	for _, writer := range []io.WriteCloser{zlib.NewWriter(&deflated), lzw.NewWriter(&lzwed, lzw.LSB, 8)} {
		_, err = writer.Write(content)
		shared.Check(err)
		shared.Check(writer.Close())
	}
	reader, err := zip.NewReader(bytes.NewReader(zipped.Bytes()), int64(zipped.Len()))
	shared.Check(err)
	shared.Say("archive", reader.File[0].Name, crc32.ChecksumIEEE(content), tarred.Len() > 0, deflated.Len() > 0, lzwed.Len() > 0)
}
