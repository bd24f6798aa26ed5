#!/bin/sh
# Runs workerd so that it ends with the process that started it, however that one ends. Only Linux can do this; elsewhere the
# next cloud on the same folder ends what a killed one has left.
if setpriv --pdeathsig KILL true 2>/dev/null; then exec setpriv --pdeathsig KILL "$POSTERN_WORKERD" "$@"; fi
exec "$POSTERN_WORKERD" "$@"
