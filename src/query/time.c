/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people write them: RFC 3339, or its beginning ("2026-11-24", "2026-11-24T08:30"). */
#include "query/filter.h"

#define SECOND_US 1000000
#define DAY_US ((int64_t)86400 * SECOND_US)

/* Exactly so many digits. */
static bool number(const char **at, int digits, int low, int high, int *out)
{
	*out = 0;
	for (; digits > 0; digits--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*out = 10 * *out + (**at - '0');
	}
	return *out >= low && *out <= high;
}

static bool mark(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar, by counting. */
static int64_t days_before(int year, int month, int day)
{
	static const int before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t y = year - 1; /* whole years before */
	int64_t days = 365 * y + y / 4 - y / 100 + y / 400 - 719162;
	return days + before_month[month - 1] + (month > 2 && is_leap(year)) + day - 1;
}

static bool read_date(const char **at, int64_t *us)
{
	static const int days_of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;
	if (!number(at, 4, 1, 9999, &year) || !mark(at, '-') || !number(at, 2, 1, 12, &month) ||
		!mark(at, '-') || !number(at, 2, 1, 31, &day) ||
		day > days_of[month - 1] + (month == 2 && is_leap(year)))
		return false;
	*us = days_before(year, month, day) * DAY_US;
	return true;
}

/* ".5": microseconds and the unit of the last digit. Digits past the sixth are passed over. */
static bool read_fraction(const char **at, int64_t *us, int64_t *unit_us)
{
	int64_t unit = SECOND_US;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		unit /= 10;
		*us += unit * (**at - '0');
		*unit_us = unit ? unit : 1;
	}
	return true;
}

static bool read_clock(const char **at, int64_t *us, int64_t *unit_us)
{
	int hour, minute, second = 0;
	if (!number(at, 2, 0, 23, &hour) || !mark(at, ':') || !number(at, 2, 0, 59, &minute))
		return false;
	*unit_us = (int64_t)60 * SECOND_US;
	if (mark(at, ':')) {
		if (!number(at, 2, 0, 60, &second)) /* 60: a leap second */
			return false;
		*unit_us = SECOND_US;
	}
	*us += ((int64_t)hour * 3600 + minute * 60 + second) * SECOND_US;
	return *unit_us != SECOND_US || !mark(at, '.') || read_fraction(at, us, unit_us);
}

/* "Z", "+02:00" or nothing, which is UTC. */
static bool read_zone(const char **at, int64_t *us)
{
	if (**at == '\0' || mark(at, 'Z') || mark(at, 'z'))
		return true;
	int sign = **at == '+' ? 1 : **at == '-' ? -1 : 0, hours, minutes;
	(*at)++;
	if (sign == 0 || !number(at, 2, 0, 23, &hours) || !mark(at, ':') || !number(at, 2, 0, 59, &minutes))
		return false;
	*us -= sign * ((int64_t)hours * 3600 + minutes * 60) * SECOND_US;
	return true;
}

bool query_time(const char *text, int64_t *low_us, int64_t *high_us)
{
	const char *at = text;
	int64_t unit_us = DAY_US;
	if (!read_date(&at, low_us))
		return false;
	if (mark(&at, 'T') || mark(&at, 't') || mark(&at, ' ')) {
		if (!read_clock(&at, low_us, &unit_us) || !read_zone(&at, low_us))
			return false;
	}
	*high_us = *low_us + unit_us;
	return *at == '\0';
}
