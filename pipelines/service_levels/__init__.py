"""Questions over any window, grouping and time zone, answered from the quarter-hour facts."""
