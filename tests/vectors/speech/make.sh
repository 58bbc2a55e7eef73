#!/bin/sh
# Makes the speech files of this directory: what the stations of the emulated PBX say.
# Needs espeak-ng and sox (Debian 12: espeak-ng 1.51, sox 14.4.2). Run it here: ./make.sh
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

LEVEL=0.0484 # active speech at -20 dBm0: a full-scale A-law sine, RMS 0.695 of int16's range, is +3.14 dBm0 (G.711)
NOISE=0.0002 # line noise near -68 dBm0, so that a pause is quiet but not idle

# say NAME VOICE WORDS_PER_MINUTE PITCH < text as SSML
say() {
    espeak-ng -m -v "$2" -s "$3" -p "$4" -w "$work/said.wav"
    # 300..3400 Hz as a telephone passes it; no dither anywhere, so that the same programs give the same octets
    sox -D -R "$work/said.wav" -r 8000 -c 1 "$work/band.wav" sinc 300-3400 pad 0.4 1.1
    rms=$(sox "$work/band.wav" -n silence 1 0.05 1% -1 0.15 1% stat 2>&1 | awk '/RMS.*amplitude/ {print $3}')
    seconds=$(sox --i -D "$work/band.wav")
    sox -D -R -n -r 8000 -c 1 -b 16 "$work/noise.wav" synth "$seconds" whitenoise vol "$NOISE"
    sox -D -R -m -v "$(awk "BEGIN {print $LEVEL / $rms}")" "$work/band.wav" -v 1 "$work/noise.wav" \
        -t raw -e a-law -r 8000 -c 1 "$1.alaw"
}

say en-reception en-gb 150 45 <<'TEXT'
<speak>Good morning, Baltic Freight, reception, how can I help you? <break time="1600ms"/>
Certainly. May I ask who is calling, please? <break time="1900ms"/> Thank you, one moment. <break time="900ms"/>
I am afraid the line is busy. Would you like to hold, or shall I take a message? <break time="2200ms"/>
All right, I will try the other extension for you. <break time="1200ms"/></speak>
TEXT
say en-order en-us 165 60 <<'TEXT'
<speak>Hi, I am calling about order number four seven one one nine. <break time="1400ms"/>
It was promised for Tuesday, and it is Friday now. <break time="1800ms"/> No, nobody has called me back. <break time="1300ms"/>
Could you check with the warehouse? I need at least the two pumps before Monday morning. <break time="2000ms"/>
Yes, this number is fine. I am here until half past five. <break time="1000ms"/></speak>
TEXT
say en-helpdesk en-gb-scotland 160 35 <<'TEXT'
<speak>Service desk, Andrew speaking. <break time="1500ms"/> Right, and what does the display say exactly? <break time="2300ms"/>
Okay. Please unplug the telephone, count to ten, and plug it in again. <break time="2600ms"/>
You should see the logo first, and then the date and the time. <break time="1700ms"/> Good. I will close the ticket then. <break time="900ms"/></speak>
TEXT
say pl-sekretariat pl 160 55 <<'TEXT'
<speak>Dzień dobry, sekretariat, w czym mogę pomóc? <break time="1500ms"/> Tak, pan dyrektor jest dziś w biurze. <break time="1700ms"/>
Chwileczkę, sprawdzę w kalendarzu. <break time="1400ms"/> Mogę zaproponować środę, godzinę jedenastą trzydzieści. <break time="1900ms"/>
Dobrze, zapisałam. Proszę jeszcze podać numer telefonu. <break time="2200ms"/> Dziękuję, do usłyszenia. <break time="800ms"/></speak>
TEXT
say pl-serwis pl+m3 165 40 <<'TEXT'
<speak>Halo, tu Kowalski, dzwonię w sprawie awarii windy w budynku numer siedem. <break time="1800ms"/>
Stoi od rana między drugim a trzecim piętrem, ale nikogo w środku nie ma. <break time="2100ms"/>
Umowa jest na firmę, numer dwanaście łamane przez osiemdziesiąt cztery. <break time="1600ms"/>
O której możemy się spodziewać montera? <break time="1900ms"/> Rozumiem, będę czekał przy portierni. <break time="900ms"/></speak>
TEXT
say de-zentrale de 155 50 <<'TEXT'
<speak>Stadtwerke, Zentrale, guten Tag. <break time="1500ms"/> Ja, da sind Sie hier richtig. <break time="1200ms"/>
Ihre Kundennummer finden Sie oben rechts auf der letzten Rechnung. <break time="2400ms"/>
Vielen Dank. Ich sehe, der Zähler wurde im März abgelesen. <break time="1700ms"/>
Einen Augenblick bitte, ich verbinde Sie mit der Abrechnung. <break time="1300ms"/></speak>
TEXT
say de-werkstatt de+f2 165 50 <<'TEXT'
<speak>Guten Morgen, Schneider mein Name. Ich wollte fragen, ob mein Wagen schon fertig ist. <break time="1700ms"/>
Ein blauer Kombi, ich habe ihn gestern Abend gebracht. <break time="1900ms"/>
Ach so. Und was würden die neuen Bremsscheiben ungefähr kosten? <break time="2200ms"/>
Gut, machen Sie das bitte. Ich komme dann gegen siebzehn Uhr vorbei. <break time="1100ms"/></speak>
TEXT
