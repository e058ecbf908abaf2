"""Many nodes: checking them, starting and stopping their daemons, over SSH and luigid's own port.

On the user's side `commands` parses, `survey` asks, `findings` judges, `starting` and `stopping` act and
`tables` print. On a node runs `agent`, which does what it is told by `links`: `probe`, `marks`, `daemon`.
"""
