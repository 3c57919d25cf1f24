"""What all tests share: cdktf's bindings load quickly here too, whichever test imports them first."""

import bindings

bindings.enable()
