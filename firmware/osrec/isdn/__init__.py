"""ISDN on a line: LAPD (Q.921) and call control (Q.931, ECMA-143) as machines, and a runner for a D channel.

What the owner of a line needs:

    settings.AccessConfig    protocol dss1 or qsig, role user or network, slots, how calls are answered, timers
    access.Access            layers 2 and 3 in one machine: handle(event, now) -> outputs, deadline; octets in and out
    runner.AccessRunner      an Access on a DChannel: start(now), turn(now), request(request, now); or run() in asyncio

    config = AccessConfig(Protocol.QSIG, Role.USER, answering=Answering.CONNECT)
    runner = AccessRunner("trunk1", config, line.d_channel(), take)    # take(output): what the owner is told
    runner.start(now); runner.turn(now) every 10 ms

An incoming call tells, under Answering.CONNECT, ChannelTaken (slot, numbers, the whole SETUP), Connected, and at last
Clearing (nobody listens any more), CallReleased (the slot is free). A call is named by a number of ours that is
never used again. Requests and outputs are in messages.py; the data link tells LinkUp and LinkDown. Calls that are
active outlive a lost data link for T309, all others end with it.

Who wants one layer alone takes link.DataLink (events and outputs in link_messages.py) or control.CallControl.
docs/isdn.md has the tables of states, timers and clauses.
"""
