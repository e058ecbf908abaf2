// Command redis pings a Redis server; without -ping it only prints the client's options, so that it runs anywhere.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	"github.com/redis/go-redis/v9"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:6379", "address of the server")
	ping := flag.Bool("ping", false, "talk to the server")
	flag.Parse()
	client := redis.NewClient(&redis.Options{Addr: *addr})
	defer client.Close()
	fmt.Println("redis client for", client.Options().Addr, "network", client.Options().Network)
	if *ping {
		if err := client.Ping(context.Background()).Err(); err != nil {
			log.Fatal(err)
		}
	}
}
