"""The portal: a read-only web application on what the marts hold."""
