"""Hearts for other programs: BIDS, nnU-Net, MONAI, ITK-SNAP."""
