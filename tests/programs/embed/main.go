package main

import (
	"embed"
	"fmt"
	"io/fs"

	"example.com/embed/page"
)

//go:embed data/one.txt
var text string

//go:embed data/two.bin
var bytes []byte

//go:embed data
var folder embed.FS

//go:embed all:data
var everything embed.FS

//go:embed data/*.txt "spaced name.txt" data/sub/.hidden
var some embed.FS

func list(name string, files fs.FS) {
	fmt.Print(name, ":")
	fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			content, _ := fs.ReadFile(files, path)
			fmt.Printf(" %s(%d)", path, len(content))
		}
		return nil
	})
	fmt.Println()
}

func main() {
	fmt.Printf("embed: %q %v %q\n", text, bytes, page.Title())
	list("folder", folder)
	list("everything", everything)
	list("some", some)
}
