"""From submissions to marks: on top of nbgrader's converters, gradebook and exporters."""
