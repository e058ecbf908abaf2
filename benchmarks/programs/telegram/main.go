// Command telegram links a whole Telegram client (one giant generated package); without -connect it only
// prints the API layer, so that it runs anywhere.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/tg"
)

func main() {
	connect := flag.Bool("connect", false, "connect to the network")
	flag.Parse()
	fmt.Println("telegram API layer", tg.Layer)
	client := telegram.NewClient(telegram.TestAppID, telegram.TestAppHash, telegram.Options{})
	if *connect {
		err := client.Run(context.Background(), func(ctx context.Context) error {
			config, err := client.API().HelpGetConfig(ctx)
			if err == nil {
				fmt.Println("this data centre", config.ThisDC)
			}
			return err
		})
		if err != nil {
			log.Fatal(err)
		}
	}
}
