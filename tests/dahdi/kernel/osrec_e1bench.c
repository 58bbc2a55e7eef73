// SPDX-License-Identifier: GPL-2.0
/* A board of two E1 ports joined by a cable, for tests: what dahdi_dynamic_loc cannot do, on command.
 *
 * A timer of 1 ms stands for the board's interrupt. Octets cross the cable through an elastic store, so that a frame
 * can slip; alarms, error counts and missed interrupts are whatever is written to the parameter `control`:
 *
 *   alarms PORT BITS      DAHDI_ALARM_*
 *   count PORT WHAT N     WHAT: crc4, ebit, fas, bpv, irq
 *   slip PORT drop|repeat one frame of what the port receives
 *   mute PORT 0|1         no interrupts for the port
 *   unplug                the board is gone, whoever uses it
 *   plug                  it is back
 */
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <dahdi/kernel.h>

enum { PORTS = 2, SLOTS = 31, STORE = 64, DELAY = 16 }; /* frames of the elastic store, and how full it is kept */

struct port {
	struct dahdi_span span;
	struct dahdi_chan chans[SLOTS];
	struct dahdi_chan *chan_list[SLOTS];
	u8 store[SLOTS][STORE];
	unsigned int written, read;
	bool mute;
};

struct board {
	struct dahdi_device *ddev;
	struct port ports[PORTS];
};

static struct board *board;      /* NULL: unplugged */
static struct board *gone[64];   /* programs may still hold channels of them */
static unsigned int gone_count;
static DEFINE_SPINLOCK(lock);
static struct hrtimer timer;

static void carry(struct port *from, struct port *to)
{
	int slot, i;

	for (i = 0; i < DAHDI_CHUNKSIZE; i++) {
		for (slot = 0; slot < SLOTS; slot++)
			to->store[slot][to->written % STORE] = from->chans[slot].writechunk[i];
		to->written++;
	}
}

static void arrive(struct port *port)
{
	int slot, i;

	for (i = 0; i < DAHDI_CHUNKSIZE; i++) {
		for (slot = 0; slot < SLOTS; slot++)
			port->chans[slot].readchunk[i] = port->store[slot][port->read % STORE];
		port->read++;
	}
	dahdi_ec_span(&port->span);
	dahdi_receive(&port->span);
}

static enum hrtimer_restart tick(struct hrtimer *t)
{
	unsigned long flags;
	int i;

	spin_lock_irqsave(&lock, flags);
	if (board) {
		for (i = 0; i < PORTS; i++)
			if (!board->ports[i].mute)
				dahdi_transmit(&board->ports[i].span);
		for (i = 0; i < PORTS; i++)
			carry(&board->ports[i], &board->ports[PORTS - 1 - i]);
		for (i = 0; i < PORTS; i++)
			if (!board->ports[i].mute)
				arrive(&board->ports[i]);
	}
	spin_unlock_irqrestore(&lock, flags);
	hrtimer_forward_now(t, ns_to_ktime(NSEC_PER_MSEC));
	return HRTIMER_RESTART;
}

static int e1_spanconfig(struct file *file, struct dahdi_span *span, struct dahdi_lineconfig *lc)
{
	span->syncsrc = lc->sync;
	return 0;
}

static int e1_chanconfig(struct file *file, struct dahdi_chan *chan, int sigtype)
{
	return 0;
}

static int e1_startup(struct file *file, struct dahdi_span *span)
{
	return 0;
}

static int e1_rbsbits(struct dahdi_chan *chan, int bits)
{
	return 0;
}

static const struct dahdi_span_ops e1_ops = {
	.owner = THIS_MODULE,
	.spanconfig = e1_spanconfig,
	.chanconfig = e1_chanconfig,
	.startup = e1_startup,
	.rbsbits = e1_rbsbits,
};

static void set_up(struct board *made, int number)
{
	struct port *port = &made->ports[number];
	struct dahdi_span *span = &port->span;
	int slot;

	snprintf(span->name, sizeof(span->name), "BENCH/0/%d", number + 1);
	snprintf(span->desc, sizeof(span->desc), "E1 test bench port %d", number + 1);
	span->spantype = SPANTYPE_DIGITAL_E1;
	span->deflaw = DAHDI_LAW_ALAW;
	span->flags = DAHDI_FLAG_RBS;
	span->linecompat = DAHDI_CONFIG_AMI | DAHDI_CONFIG_HDB3 | DAHDI_CONFIG_CCS | DAHDI_CONFIG_CRC4;
	span->channels = SLOTS;
	span->chans = port->chan_list;
	span->offset = number;
	span->ops = &e1_ops;
	memset(port->store, 0xFF, sizeof(port->store));
	port->written = DELAY;
	for (slot = 0; slot < SLOTS; slot++) {
		struct dahdi_chan *chan = &port->chans[slot];

		snprintf(chan->name, sizeof(chan->name), "%s/%d", span->name, slot + 1);
		chan->chanpos = slot + 1;
		chan->sigcap = DAHDI_SIG_CLEAR | DAHDI_SIG_CAS | DAHDI_SIG_DACS_RBS;
		chan->pvt = port;
		port->chan_list[slot] = chan;
	}
	list_add_tail(&span->device_node, &made->ddev->spans);
}

static int plug(void)
{
	struct board *made = kzalloc(sizeof(*made), GFP_KERNEL);
	unsigned long flags;
	int i, res;

	if (!made)
		return -ENOMEM;
	made->ddev = dahdi_create_device();
	if (!made->ddev) {
		kfree(made);
		return -ENOMEM;
	}
	made->ddev->manufacturer = "osrec";
	made->ddev->devicetype = "E1 test bench";
	made->ddev->hardware_id = "bench-0001";
	made->ddev->location = "in this machine";
	dev_set_name(&made->ddev->dev, "osrec_e1bench");
	for (i = 0; i < PORTS; i++)
		set_up(made, i);
	res = dahdi_register_device(made->ddev, NULL);
	if (res) {
		dahdi_free_device(made->ddev);
		kfree(made);
		return res;
	}
	spin_lock_irqsave(&lock, flags);
	board = made;
	spin_unlock_irqrestore(&lock, flags);
	return 0;
}

static int unplug(void)
{
	struct board *was = board;
	unsigned long flags;

	if (!was || gone_count == ARRAY_SIZE(gone))
		return -EINVAL;
	spin_lock_irqsave(&lock, flags);
	board = NULL;
	spin_unlock_irqrestore(&lock, flags);
	dahdi_unregister_device(was->ddev);
	gone[gone_count++] = was;
	return 0;
}

static int count(struct port *port, const char *what, int more)
{
	struct dahdi_count *counts = &port->span.count;

	if (!strcmp(what, "crc4"))
		counts->crc4 += more;
	else if (!strcmp(what, "ebit"))
		counts->ebit += more;
	else if (!strcmp(what, "fas"))
		counts->fas += more;
	else if (!strcmp(what, "bpv"))
		counts->bpv += more;
	else if (!strcmp(what, "irq"))
		board->ddev->irqmisses += more;
	else
		return -EINVAL;
	return 0;
}

static int slip(struct port *port, const char *how)
{
	unsigned long flags;
	int res = 0;

	spin_lock_irqsave(&lock, flags);
	if (!strcmp(how, "drop"))
		port->read++;
	else if (!strcmp(how, "repeat"))
		port->read--;
	else
		res = -EINVAL;
	if (!res)
		port->span.count.timingslips++;
	spin_unlock_irqrestore(&lock, flags);
	return res;
}

static int control_set(const char *text, const struct kernel_param *kp)
{
	char what[8];
	unsigned int number;
	int value;
	struct port *port;

	if (sysfs_streq(text, "plug"))
		return board ? -EBUSY : plug();
	if (!board)
		return -ENODEV;
	if (sysfs_streq(text, "unplug"))
		return unplug();
	if (sscanf(text, "%*s %u", &number) != 1 || number < 1 || number > PORTS)
		return -EINVAL;
	port = &board->ports[number - 1];
	if (sscanf(text, "alarms %u %i", &number, &value) == 2) {
		port->span.alarms = value;
		dahdi_alarm_notify(&port->span);
		return 0;
	}
	if (sscanf(text, "count %u %7s %i", &number, what, &value) == 3)
		return count(port, what, value);
	if (sscanf(text, "slip %u %7s", &number, what) == 2)
		return slip(port, what);
	if (sscanf(text, "mute %u %i", &number, &value) == 2) {
		port->mute = value;
		port->read = port->written - DELAY;
		return 0;
	}
	return -EINVAL;
}

static const struct kernel_param_ops control_ops = { .set = control_set };
module_param_cb(control, &control_ops, NULL, 0200);

static int __init bench_init(void)
{
	int res = plug();

	if (res)
		return res;
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer.function = tick;
	hrtimer_start(&timer, ns_to_ktime(NSEC_PER_MSEC), HRTIMER_MODE_REL);
	return 0;
}

static void __exit bench_exit(void)
{
	hrtimer_cancel(&timer);
	if (board)
		unplug();
	while (gone_count) {
		dahdi_free_device(gone[--gone_count]->ddev);
		kfree(gone[gone_count]);
	}
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("E1 test bench under DAHDI");
MODULE_LICENSE("GPL v2");
