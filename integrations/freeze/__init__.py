"""The freeze calendar: times in which a target is not to be changed, from the targets file and from an ICS calendar."""
