"""Alarms, change events, maintenance windows and on-call at PagerDuty."""
