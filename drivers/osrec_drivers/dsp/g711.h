/* G.711 both ways, by tables made from the definition; the algorithms of ITU-T G.191 define the encoders. */
#pragma once
#include <stddef.h>
#include <stdint.h>

extern int16_t g711_alaw_linear[256], g711_ulaw_linear[256];

void g711_setup(void);
void g711_alaw_decode(const uint8_t *octets, size_t count, int16_t *samples);
void g711_ulaw_decode(const uint8_t *octets, size_t count, int16_t *samples);
void g711_alaw_encode(const int16_t *samples, size_t count, uint8_t *octets);
void g711_ulaw_encode(const int16_t *samples, size_t count, uint8_t *octets);
