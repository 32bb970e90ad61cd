"""Outside systems that orders need: who charges cards, who carries parcels. Plain data in and out."""
