#include <linux/gfp.h>

extern unsigned long shim_total_pages;
#define totalram_pages() shim_total_pages
