#!/bin/sh
# A call from behind one router to a server behind another, each with a network namespace of its own:
#
#   caller 10.9.0.2 ── home router ── 203.0.113.0/24, the internet ── office router ── server 192.168.7.2
#
# Both routers translate what goes out; the office router forwards TCP port 8000 and the UDP ports 40000 to 40099. Neither
# end has a route to the other's network. To be run in empty namespaces: unshare -rnmpf --kill-child
#
#   nat.sh PYTHON NAME…     with the names of behind_nat.py
set -eu
python=$1
shift
ip link set lo up
mount -t tmpfs none /run
mkdir -p /run/netns
for name in caller home office server; do
    ip netns add $name
    ip -n $name link set lo up
done
join() { # namespace, address, namespace, address
    ip link add "$1-$3" netns "$1" type veth peer name "$3-$1" netns "$3"
    ip -n "$1" addr add "$2" dev "$1-$3" && ip -n "$1" link set "$1-$3" up
    ip -n "$3" addr add "$4" dev "$3-$1" && ip -n "$3" link set "$3-$1" up
}
join caller 10.9.0.2/24 home 10.9.0.1/24
join home 203.0.113.2/24 office 203.0.113.1/24
join office 192.168.7.1/24 server 192.168.7.2/24
ip -n caller route add default via 10.9.0.1
ip -n server route add default via 192.168.7.1
for router in home office; do
    ip netns exec $router sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
done
masquerade() { # namespace, the side of the internet: nothing new comes in from there but what is forwarded
    ip netns exec "$1" nft -f - <<RULES
table ip nat {
    chain pre { type nat hook prerouting priority -100; $3 }
    chain post { type nat hook postrouting priority 100; oifname "$2" masquerade; }
}
table ip filter {
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        ct status dnat accept
        iifname != "$2" accept
    }
}
RULES
}
masquerade home home-office ""
masquerade office office-home \
    'iifname "office-home" tcp dport 8000 dnat to 192.168.7.2; iifname "office-home" udp dport 40000-40099 dnat to 192.168.7.2;'
# What no internet carries: packets to private addresses.
ip -n home route add unreachable 192.168.0.0/16
ip -n office route add unreachable 10.0.0.0/8

if command -v turnserver >/dev/null; then
    ip -n office addr add 203.0.113.9/24 dev office-home
    ip netns exec office turnserver -n --listening-ip 203.0.113.9 --relay-ip 203.0.113.9 --no-cli --no-tls --no-dtls \
        --realm example --lt-cred-mech --user name:word --pidfile /run/turn.pid --log-file stdout --simple-log \
        >/run/turn.log 2>&1 &
fi
ip netns exec server "$python" -m tests.transports.webrtc.behind_nat serve >/run/ready &
server=$!
until grep -q ready /run/ready; do
    kill -0 $server
    sleep 0.1
done
ip netns exec caller "$python" -m tests.transports.webrtc.behind_nat call "$@"
