"""Services that are processes of this machine: started detached, so that they outlive the bot."""
